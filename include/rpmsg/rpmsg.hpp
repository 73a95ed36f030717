#pragma once

/// @file
/// All of the portable library.

#include <rpmsg/bus/batch.hpp>
#include <rpmsg/bus/bus.hpp>
#include <rpmsg/bus/endpoint.hpp>
#include <rpmsg/bus/immortal.hpp>
#include <rpmsg/bus/lay_out.hpp>
#include <rpmsg/bus/observer.hpp>
#include <rpmsg/virtio/fixed_rings.hpp>
#include <rpmsg/virtio/status_byte.hpp>
