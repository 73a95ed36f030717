#pragma once

namespace CLI {
class App;
}

namespace tool {

// Each adds its subcommand, with options and a callback that runs it, and throws failure when it cannot.
// One file a command: list.cpp, serve.cpp, …

void add_list(CLI::App& program);
void add_serve(CLI::App& program);
void add_ping(CLI::App& program);
void add_bench(CLI::App& program);
void add_cat(CLI::App& program);
void add_inspect(CLI::App& program);

}  // namespace tool
