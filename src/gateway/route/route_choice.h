// From the name that a client asked for to the model that serves it: rules first, then aliases, canaries and splits.
//
// The first rule that matches decides; without one the client's own name does. The name is then followed: an alias
// leads on, a canary or a split draws one of its arms, and what is left is a model. Inside of a split or canary its own
// name, or that of another one, means the model.
//
// Immutable, part of a RouteTable; thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "gateway/route/canary_sample.h"
#include "gateway/route/route_rules.h"
#include "gateway/route/route_split.h"
#include "gateway/route/routing_options.h"

namespace stoker::gateway {

// A canary as requests see it: outlives the table, so that a reload loses neither its share nor its counts.
struct CanaryArms {
    std::atomic<double> candidate_percent{0};
    CanarySample control;
    CanarySample candidate;
};
using CanaryBook = std::unordered_map<std::string, std::shared_ptr<CanaryArms>>;

struct RouteChoice {
    std::string_view model;          // That is to serve it; whether there is such a model is the table's to know.
    std::string_view rule{};         // Empty: none matched.
    std::string_view split{};        // Or canary; empty: none was drawn.
    std::string_view arm{};          // Of it, where the draw led.
    bool led = false;                // By the routing; otherwise `model` is the client's own word.
    CanarySample* sample = nullptr;  // To count the request in.
};

class Routing {
public:
    Routing() = default;
    // `series` makes the counter of one way: by ("rule", "split", "canary", "alias"), its name, and where it led.
    using Series =
        std::function<metrics::Counter*(const std::string& by, const std::string& name, const std::string& to)>;
    Routing(RoutingOptions options, const CanaryBook& canaries, const Series& series);

    bool empty() const { return options_.empty(); }
    const RoutingOptions& options() const { return options_; }
    // Whether clients may ask for this name though no pool serves it.
    bool knows(std::string_view name) const;
    // Where the aliases lead from it, if it is one.
    std::string_view model_of(std::string_view name) const;
    // Those names.
    std::vector<std::string> names() const;

    // `point` of [0, 1) decides draws that nothing makes sticky. With `why`, a line is added for each step of the way,
    // and nothing is counted. Views are valid as long as the table and the question's model.
    RouteChoice choose(const RouteQuestion& question, double point, std::vector<std::string>* why = nullptr) const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    template <typename T>
    using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
    struct Arm {
        std::string to;
        double weight = 0;
        metrics::Counter* taken = nullptr;
        CanarySample* sample = nullptr;
    };
    struct Fork {  // A split or a canary.
        std::string name;
        StickyBy by = StickyBy::Nothing;
        std::string header;
        std::vector<Arm> arms;
        std::shared_ptr<CanaryArms> canary;  // Null: the weights are the arms' own.
    };
    struct Alias {
        std::string to;
        metrics::Counter* taken = nullptr;
    };

    std::string_view by_rules(const RouteQuestion& question, RouteChoice& choice, std::vector<std::string>* why) const;
    const Arm& draw(const Fork& fork, const RouteQuestion& question, double point, std::vector<std::string>* why) const;

    RoutingOptions options_;
    std::vector<metrics::Counter*> rule_taken_;  // As options_.rules.
    ByName<Alias> aliases_;
    ByName<Fork> forks_;
};

// Where following aliases from `name` ends. Errors: InvalidArgument, a circle, with its way.
Result<std::string> follow_aliases(const std::vector<AliasOptions>& aliases, const std::string& name);

}  // namespace stoker::gateway
