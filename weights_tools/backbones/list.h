// Every kind of backbone that can be built. A line NAME stands for a function `BackboneKind NAME()` in namespace
// maskrt::weights::backbones, which backbones/NAME.cpp defines.
#pragma once

// clang-format off
#define MASKRT_BACKBONES(X) \
  X(resnet)    \
  X(resnet_vd) \
  X(cspnet)    \
  X(pvt)
// clang-format on
