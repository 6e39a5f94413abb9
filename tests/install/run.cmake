# SPDX-License-Identifier: Apache-2.0
# Configures, builds and runs one consumer project in an empty directory.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nfailed with ${status}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(common -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
  -D FUTON_ASIO_INCLUDE_DIR=${ASIO} -D FUTON_MSGPACK_INCLUDE_DIR=${MSGPACK})

if(PROJECT MATCHES "^(find_package|compiled)$")
  run(${CMAKE_COMMAND} -S ${FUTON} -B ${WORK}/futon ${common} -D FUTON_BUILD_TESTS=OFF -D FUTON_BUILD_EXAMPLES=OFF)
  run(${CMAKE_COMMAND} --install ${WORK}/futon --prefix ${WORK}/prefix)
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/${PROJECT} -B ${WORK}/build ${common}
  -D CMAKE_PREFIX_PATH=${WORK}/prefix -D FUTON_SOURCE=${FUTON})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/app)
