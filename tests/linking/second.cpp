// SPDX-License-Identifier: Apache-2.0
#include "every_header.hpp"

const std::error_category& category_seen_by_second();
const std::error_category& category_seen_by_second() { return futon::futon_category(); }
