# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the headers, and a package that find_package(futon) finds on every architecture, with the source of
# futon::compiled.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(futon_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/futon")
install(TARGETS futon EXPORT futonTargets FILE_SET HEADERS)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING REGEX "/(etcd|zookeeper)_[^/]*[.]hpp$")
install(EXPORT futonTargets NAMESPACE futon:: DESTINATION "${futon_package_dir}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/futonConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${CMAKE_CURRENT_LIST_DIR}/futonConfig.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FutonCompiled.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FutonDependencies.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FutonOptional.cmake"
  "${CMAKE_CURRENT_SOURCE_DIR}/src/asio.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/src/compiled.cpp"
  "${CMAKE_CURRENT_BINARY_DIR}/futonConfigVersion.cmake"
  DESTINATION "${futon_package_dir}")
