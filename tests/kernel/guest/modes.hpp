#pragma once

/// What the guest can do, one word MODE=… of its command line each. A mode that returns went well.
namespace guest {

// exchange.cpp
void exchange();  ///< Echoes through rpmsg-raw, of all sizes that there are, on each of BUSES buses.
void sizes();     ///< 0 and 496 bytes go, 497 do not.
void tty();       ///< A line of 1000 bytes through rpmsg-tty.
void sample();    ///< rpmsg_client_sample of MODULE, until it says goodbye.

// channels.cpp
void endpoints();  ///< Made by /dev/rpmsg_ctrl0 towards an address of the host's.
void ours();       ///< Channels that the guest makes and releases, which the host hears of.
void theirs();     ///< Channels that the host makes and withdraws, which the guest hears of.

// rebind.cpp
void rebind();   ///< The driver is taken off in the middle of traffic and put back, ROUNDS times.
void survive();  ///< The host's process is killed; readers and writers get errors.

// flow.cpp
void blocked();  ///< The host keeps all buffers: writers wait, and go on as soon as one is back.
void soak();     ///< MESSAGES messages of random size each way, with up to IN_FLIGHT under way.
void hang();     ///< Does nothing, for ever.
void figures();  ///< Doorbells and time of a ping-pong and a burst.

}  // namespace guest
