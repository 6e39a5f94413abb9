# SPDX-License-Identifier: Apache-2.0
# For futon's own tests, examples and benchmarks; never installed, never seen by a user's target.

add_library(futon_warnings INTERFACE)
target_compile_options(futon_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wdouble-promotion -Wundef -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A false positive on Asio's coroutine frames from -O1 on (asio issue 1391).
  target_compile_options(futon_warnings INTERFACE -Wno-mismatched-new-delete)
  # gcc 12 takes the error in a result that holds a value for uninitialised where it instruments optimised code.
  if(CMAKE_CXX_FLAGS MATCHES "fsanitize=")
    target_compile_options(futon_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

# ThreadSanitizer of gcc 12 and clang 16 cannot map its shadow where the kernel randomises more than 28 bits of the
# address space; such programs are started with the randomisation off, if that is allowed here.
set(futon_launcher)
if(CMAKE_CXX_FLAGS MATCHES "fsanitize=thread")
  find_program(FUTON_SETARCH setarch)
  mark_as_advanced(FUTON_SETARCH)
  if(FUTON_SETARCH)
    execute_process(COMMAND ${FUTON_SETARCH} -R true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
    if(refused EQUAL 0)
      set(futon_launcher ${FUTON_SETARCH} -R)
    endif()
  endif()
endif()
set(FUTON_TEST_LAUNCHER "${futon_launcher}" CACHE STRING "Command that starts test programs; empty: start them directly")
