# SPDX-License-Identifier: Apache-2.0
# Makes futon::compiled: futon::futon, with the engine of clients and servers, and Asio, compiled once for a project instead
# of in each file. A library of the project itself, built with its flags, and only where something links it. Used by futon's
# own build and by the installed package, which brings the sources.
function(futon_add_compiled sources)
  add_library(futon_compiled STATIC EXCLUDE_FROM_ALL "${sources}/compiled.cpp" "${sources}/asio.cpp")
  add_library(futon::compiled ALIAS futon_compiled)
  target_link_libraries(futon_compiled PUBLIC futon::futon)
  target_compile_definitions(futon_compiled PUBLIC FUTON_COMPILED ASIO_SEPARATE_COMPILATION)
endfunction()
