# cmake -DCOMPILE=compile_cuda.cmake -DFOLDER=DIR -P check_device_code.cmake: what the build does about ptxas's words. The
# compiler is `cat` of what ptxas 13.0 has said.

function(compile text spills_allowed expected)
  file(MAKE_DIRECTORY ${FOLDER})
  file(WRITE ${FOLDER}/kernel.fatbin "compiled")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${FOLDER}/kernel -DSPILLS_ALLOWED=${spills_allowed} -P ${COMPILE} --
      ${CMAKE_COMMAND} -E cat ${CMAKE_CURRENT_LIST_DIR}/${text}
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  if(expected STREQUAL "")
    if(NOT status EQUAL 0 OR NOT said STREQUAL "" OR NOT EXISTS ${FOLDER}/kernel.fatbin)
      message(FATAL_ERROR "${text}: expected success without a word, found status ${status}: ${said}")
    endif()
  else()
    string(FIND "${said}" "${expected}" at)
    if(status EQUAL 0 OR at LESS 0 OR EXISTS ${FOLDER}/kernel.fatbin)
      message(FATAL_ERROR "${text}: expected a failure with \"${expected}\", found status ${status}: ${said}")
    endif()
  endif()
  file(READ ${FOLDER}/kernel.ptxas.txt kept)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/${text} original)
  if(NOT kept STREQUAL original)
    message(FATAL_ERROR "${text}: expected ptxas's words to be kept, found: ${kept}")
  endif()
endfunction()

compile(clean.txt FALSE "")
compile(spilled.txt FALSE "expected no spilled registers, found 808 bytes spill stores, 832 bytes spill loads in second;")
compile(spilled.txt TRUE "")
compile(serialised.txt FALSE "expected no wgmma in series, found: ptxas info : (C7511) Potential Performance Loss")
compile(serialised.txt TRUE "expected no wgmma in series")
