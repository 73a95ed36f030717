#pragma once

#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tool {

/// What a guest is offered beyond the name service.
struct guest_options {
    bool event_idx = false;
    bool legacy = false;
    bool inband = false;

    /// Declares them; this outlives the command.
    ///
    /// @return  The options, for what they exclude or need.
    std::vector<CLI::Option*> declare(CLI::App& command);
};

}  // namespace tool
