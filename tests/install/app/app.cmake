# SPDX-License-Identifier: Apache-2.0
# The program of every consumer project, and what futon::futon must not do to it.
get_target_property(options futon::futon INTERFACE_COMPILE_OPTIONS)
if(options)
  message(FATAL_ERROR "futon::futon forces compile options on its users: ${options}")
endif()
add_executable(app ${CMAKE_CURRENT_LIST_DIR}/first.cpp ${CMAKE_CURRENT_LIST_DIR}/second.cpp)
target_link_libraries(app PRIVATE futon::futon)
