// SPDX-License-Identifier: GPL-2.0-only
/* The global options; main() fills them in. */
#include "base/bhctl.h"

struct options options = { .fd = -1 };
