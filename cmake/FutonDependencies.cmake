# SPDX-License-Identifier: Apache-2.0
# Finds Asio, msgpack-cxx and the thread library. Used by futon's own build and by the installed futonConfig.cmake, so
# that both find the same thing in the same way. Sets futon_dependencies_found, else futon_dependencies_missing to a
# sentence, and makes two imported targets:
#
#   futon::asio     standalone Asio: a target asio::asio, else asio.hpp on the include path, else a download
#   futon::msgpack  msgpack-cxx: the include directory only (the targets of its packages link Boost, which futon does
#                   not need) of a target msgpack-cxx or msgpackc-cxx, else of msgpack.hpp, else a download
#
# A download happens only if FUTON_FETCH_DEPENDENCIES is on. FETCHCONTENT_SOURCE_DIR_ASIO and
# FETCHCONTENT_SOURCE_DIR_MSGPACK name a copy on this machine that wins over everything found.

set(futon_asio_minimum 1.22.1)
set(futon_asio_tag asio-1-38-2)
set(futon_msgpack_minimum 4.1.3)
set(futon_msgpack_tag cpp-6.1.0)

set(futon_dependencies_found TRUE)
set(futon_dependencies_missing "")

# Downloads (or takes from FETCHCONTENT_SOURCE_DIR_<NAME>) the sources without running their own CMake files.
function(futon_fetch name repository tag result)
  include(FetchContent)
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SOURCE_SUBDIR headers-only)
  FetchContent_MakeAvailable(${name})
  set(${result} "${${name}_SOURCE_DIR}" PARENT_SCOPE)
endfunction()

# Reads "#define ASIO_VERSION 102201" as 1.22.1.
function(futon_asio_version directory result)
  set(${result} "" PARENT_SCOPE)
  if(EXISTS "${directory}/asio/version.hpp")
    file(STRINGS "${directory}/asio/version.hpp" line REGEX "#define ASIO_VERSION [0-9]+")
    if(line MATCHES "ASIO_VERSION ([0-9]+)([0-9][0-9][0-9])([0-9][0-9])")
      math(EXPR minor "1${CMAKE_MATCH_2} - 1000")
      math(EXPR patch "1${CMAKE_MATCH_3} - 100")
      set(${result} "${CMAKE_MATCH_1}.${minor}.${patch}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(futon_msgpack_version directory result)
  set(version "")
  if(EXISTS "${directory}/msgpack/version_master.hpp")
    file(STRINGS "${directory}/msgpack/version_master.hpp" lines REGEX "#define MSGPACK_VERSION_")
    if(lines MATCHES "MAJOR +([0-9]+).*MINOR +([0-9]+).*REVISION +([0-9]+)")
      set(version "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}")
    endif()
  endif()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

macro(futon_dependency_missing words)
  set(futon_dependencies_found FALSE)
  string(APPEND futon_dependencies_missing "${words} ")
endmacro()

# What Asio and msgpack-cxx must be told, the same in every translation unit of a program.
function(futon_add_asio)
  add_library(futon::asio INTERFACE IMPORTED GLOBAL)
  target_compile_definitions(futon::asio INTERFACE ASIO_STANDALONE)
  # Asio before 1.23 does not turn its coroutines on for clang with libstdc++. The values are those that newer
  # releases define themselves.
  target_compile_definitions(futon::asio INTERFACE
    "$<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1;ASIO_HAS_STD_COROUTINE=1>")
endfunction()
function(futon_add_msgpack)
  add_library(futon::msgpack INTERFACE IMPORTED GLOBAL)
  target_compile_definitions(futon::msgpack INTERFACE MSGPACK_NO_BOOST)
endfunction()

find_package(Threads QUIET GLOBAL)
if(NOT Threads_FOUND)
  futon_dependency_missing("No thread library was found.")
endif()

if(NOT TARGET futon::asio)
  if(NOT TARGET asio::asio AND NOT FETCHCONTENT_SOURCE_DIR_ASIO)
    find_package(asio CONFIG QUIET GLOBAL)
  endif()
  if(TARGET asio::asio AND NOT FETCHCONTENT_SOURCE_DIR_ASIO)
    futon_add_asio()
    target_link_libraries(futon::asio INTERFACE asio::asio)
    target_include_directories(futon::asio SYSTEM INTERFACE
      $<TARGET_PROPERTY:asio::asio,INTERFACE_INCLUDE_DIRECTORIES>)
    message(STATUS "futon: Asio of the target asio::asio")
  else()
    if(NOT FETCHCONTENT_SOURCE_DIR_ASIO)
      find_path(FUTON_ASIO_INCLUDE_DIR asio.hpp DOC "Directory of asio.hpp (standalone Asio)")
      mark_as_advanced(FUTON_ASIO_INCLUDE_DIR)
    endif()
    set(futon_asio_directory "${FUTON_ASIO_INCLUDE_DIR}")
    futon_asio_version("${futon_asio_directory}" futon_asio_found)
    if(FETCHCONTENT_SOURCE_DIR_ASIO OR futon_asio_found VERSION_LESS futon_asio_minimum)
      if(FETCHCONTENT_SOURCE_DIR_ASIO OR FUTON_FETCH_DEPENDENCIES)
        futon_fetch(asio https://github.com/chriskohlhoff/asio.git ${futon_asio_tag} futon_asio_source)
        # 1.36 moved the headers to the top.
        set(futon_asio_directory "${futon_asio_source}/include")
        if(NOT EXISTS "${futon_asio_directory}/asio.hpp")
          set(futon_asio_directory "${futon_asio_source}/asio/include")
        endif()
        futon_asio_version("${futon_asio_directory}" futon_asio_found)
      endif()
    endif()
    if(futon_asio_found VERSION_GREATER_EQUAL futon_asio_minimum)
      futon_add_asio()
      target_include_directories(futon::asio SYSTEM INTERFACE "${futon_asio_directory}")
      message(STATUS "futon: Asio ${futon_asio_found} in ${futon_asio_directory}")
    else()
      futon_dependency_missing("Standalone Asio ${futon_asio_minimum} or newer was not found (Debian: libasio-dev): set CMAKE_PREFIX_PATH or FUTON_ASIO_INCLUDE_DIR, or turn FUTON_FETCH_DEPENDENCIES on.")
    endif()
  endif()
endif()

if(NOT TARGET futon::msgpack)
  set(futon_msgpack_target "")
  if(NOT FETCHCONTENT_SOURCE_DIR_MSGPACK)
    foreach(candidate IN ITEMS msgpack-cxx msgpackc-cxx)
      if(TARGET ${candidate})
        set(futon_msgpack_target ${candidate})
        break()
      endif()
    endforeach()
    if(NOT futon_msgpack_target)
      # The include path before the packages: Debian's package stops the configuration if Boost is not there.
      find_path(FUTON_MSGPACK_INCLUDE_DIR msgpack.hpp DOC "Directory of msgpack.hpp (msgpack-cxx)")
      mark_as_advanced(FUTON_MSGPACK_INCLUDE_DIR)
      if(NOT FUTON_MSGPACK_INCLUDE_DIR)
        find_package(msgpack-cxx CONFIG QUIET GLOBAL)
        if(TARGET msgpack-cxx)
          set(futon_msgpack_target msgpack-cxx)
        endif()
      endif()
    endif()
  endif()
  if(futon_msgpack_target)
    futon_add_msgpack()
    target_include_directories(futon::msgpack SYSTEM INTERFACE
      $<TARGET_PROPERTY:${futon_msgpack_target},INTERFACE_INCLUDE_DIRECTORIES>)
    message(STATUS "futon: msgpack-cxx of the target ${futon_msgpack_target}")
  else()
    set(futon_msgpack_directory "${FUTON_MSGPACK_INCLUDE_DIR}")
    futon_msgpack_version("${futon_msgpack_directory}" futon_msgpack_found)
    if(FETCHCONTENT_SOURCE_DIR_MSGPACK OR futon_msgpack_found VERSION_LESS futon_msgpack_minimum)
      if(FETCHCONTENT_SOURCE_DIR_MSGPACK OR FUTON_FETCH_DEPENDENCIES)
        futon_fetch(msgpack https://github.com/msgpack/msgpack-c.git ${futon_msgpack_tag} futon_msgpack_source)
        set(futon_msgpack_directory "${futon_msgpack_source}/include")
        futon_msgpack_version("${futon_msgpack_directory}" futon_msgpack_found)
      endif()
    endif()
    if(futon_msgpack_found VERSION_GREATER_EQUAL futon_msgpack_minimum)
      futon_add_msgpack()
      target_include_directories(futon::msgpack SYSTEM INTERFACE "${futon_msgpack_directory}")
      message(STATUS "futon: msgpack-cxx ${futon_msgpack_found} in ${futon_msgpack_directory}")
    else()
      futon_dependency_missing("msgpack-cxx ${futon_msgpack_minimum} or newer was not found (Debian: libmsgpack-cxx-dev): set CMAKE_PREFIX_PATH or FUTON_MSGPACK_INCLUDE_DIR, or turn FUTON_FETCH_DEPENDENCIES on.")
    endif()
  endif()
endif()
