#include "engine_harness.h"
