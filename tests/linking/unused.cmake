# SPDX-License-Identifier: Apache-2.0
# Fails if OBJECT holds a vtable of futon's.

execute_process(COMMAND "${NM}" -C "${OBJECT}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "vtable for futon::[^\n]*" emitted "${symbols}")
if(emitted)
  list(JOIN emitted "\n  " emitted)
  message(FATAL_ERROR "declare the first virtual functions of these inline, in the class:\n  ${emitted}")
endif()
