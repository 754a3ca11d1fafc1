// Where results go.
#pragma once

#include <filesystem>
#include <string>

namespace maskrt::cli {

/// "-" becomes /dev/stdout, and so does a file that the standard output is redirected to; people's lines then go to
/// stderr (console.h). Every other name stays.
std::string output_path(const std::string& name);

/// An output's name for messages.
std::string display_name(const std::string& path);

/// Makes the folder and those above it. Throws Error that says why it could not.
void make_folder(const std::filesystem::path& folder);

/// Makes the folder that a file will lie in.
void make_folder_of(const std::filesystem::path& file);

/// Writes a text with a line end after it, and the folder it lies in: all of it or nothing. Throws Error.
void write_text_file(const std::filesystem::path& path, std::string text);

}  // namespace maskrt::cli
