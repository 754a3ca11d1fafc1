# cmake -DCOMPILE=compile_cuda.cmake -DPACK=PROGRAM -DFOLDER=DIR -P check_device_code.cmake: what the build makes of a
# compiler's PTX and an assembler's words. Shell scripts stand for both: they copy PTX, and what ptxas 13.0 has said.

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
# nvcc's last argument is the file for the PTX.
file(WRITE ${FOLDER}/nvcc "for file; do :; done; cp ${CMAKE_CURRENT_LIST_DIR}/kernel.ptx $file")
# ptxas -arch=... -O3 -v -lineinfo PTX -o CUBIN: machine code that is its PTX, and words.
file(WRITE ${FOLDER}/ptxas "#!/bin/sh\ncp $5 $7; cat ${FOLDER}/words >&2; echo $1 >> ${FOLDER}/chips; exit $(cat ${FOLDER}/status)\n")
file(CHMOD ${FOLDER}/ptxas PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

function(compile words_file spills_allowed ptxas_status expected)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${words_file} ${FOLDER}/words COPYONLY)
  file(WRITE ${FOLDER}/status ${ptxas_status})
  file(WRITE ${FOLDER}/chips "")
  file(WRITE ${FOLDER}/kernel.images "of the last build")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${FOLDER}/kernel -DTARGETS=75,80:80:86, -DPTXAS=${FOLDER}/ptxas -DPACK=${PACK}
      -DPREFIXES=/home/somebody/maskrt/=,/opt/cuda/=cuda/ -DSPILLS_ALLOWED=${spills_allowed} -P ${COMPILE} --
      sh ${FOLDER}/nvcc
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  if(expected STREQUAL "")
    if(NOT status EQUAL 0 OR NOT said STREQUAL "" OR NOT EXISTS ${FOLDER}/kernel.images)
      message(FATAL_ERROR "${words_file}: expected success without a word, found status ${status}: ${said}")
    endif()
  else()
    string(FIND "${said}" "${expected}" at)
    if(status EQUAL 0 OR at LESS 0 OR EXISTS ${FOLDER}/kernel.images)
      message(FATAL_ERROR "${words_file}: expected a failure with \"${expected}\", found status ${status}: ${said}")
    endif()
  endif()
  if(ptxas_status EQUAL 0)
    file(READ ${FOLDER}/kernel.ptxas.txt kept)
    file(READ ${FOLDER}/words original)
    if(NOT kept STREQUAL "${original}${original}")
      message(FATAL_ERROR "${words_file}: expected ptxas's words to be kept for both chips, found: ${kept}")
    endif()
  endif()
endfunction()

compile(clean.txt FALSE 0 "")
compile(spilled.txt FALSE 0 "expected no spilled registers, found 808 bytes spill stores, 832 bytes spill loads in second;")
compile(spilled.txt TRUE 0 "")
compile(serialised.txt FALSE 0 "expected no wgmma in series, found: ptxas info : (C7511) Potential Performance Loss")
compile(serialised.txt TRUE 0 "expected no wgmma in series")
compile(clean.txt FALSE 3 "device code: ptxas ended with status 3")

compile(clean.txt FALSE 0 "")
file(READ ${FOLDER}/chips chips)
if(NOT chips STREQUAL "-arch=sm_80\n-arch=sm_86\n")
  message(FATAL_ERROR "expected machine code for 80 and 86, found ${chips}")
endif()
# The PTX that older drivers read, without comments and without paths of the machine.
file(READ ${FOLDER}/kernel.sm_80.ptx ptx)
file(READ ${CMAKE_CURRENT_LIST_DIR}/rewritten.ptx expected)
if(NOT ptx STREQUAL expected)
  message(FATAL_ERROR "expected the PTX of rewritten.ptx, found ${ptx}")
endif()
