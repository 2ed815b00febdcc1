// Which of an engine's own metrics become which canonical ones: an adapter's table made ready for looking up names.
//
// Immutable once made; thread-safe. One serves all scrapes of a target until its kind or version changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collect/engine/adapters.h"
#include "collect/engine/canonical_names.h"

namespace stoker::collect {

class CanonicalPlan {
public:
    // By the adapter of `kind`, its lines for `version`; of a kind that is not known, by all adapters: the names on a
    // page tell whose they are.
    static std::shared_ptr<const CanonicalPlan> make(std::shared_ptr<const Adapters> adapters, std::string_view kind,
                                                     std::string_view version);

    // What of a series' value it is: a plain one, or a part of a histogram.
    enum class Part : std::uint8_t { Value, Bucket, Sum, Count };

    struct Operand {
        Selector selector;
        bool of_rule = true;  // Takes part with the rule's own labels; false: a factor.
    };
    struct Rule {
        const MetricRule* rule = nullptr;
        const Adapter* adapter = nullptr;
        CanonicalName::Kind kind = CanonicalName::Kind::Gauge;
        // Places in operands().
        std::vector<std::size_t> from;
        std::vector<std::size_t> plus;
        std::size_t times = kNone;
        std::size_t divide_by = kNone;
    };
    struct Use {
        std::size_t rule = 0;
        std::size_t operand = 0;
        Part part = Part::Value;
    };
    static constexpr std::size_t kNone = SIZE_MAX;

    // Where an own metric of this name is used; null: nowhere.
    const std::vector<Use>* uses(std::string_view own_name) const;
    const std::vector<Rule>& rules() const { return rules_; }
    const std::vector<Operand>& operands() const { return operands_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    void add(const Adapter& adapter, std::string_view version);
    std::size_t add_operand(const Adapter& adapter, std::size_t rule, const std::string& text, bool of_rule);

    std::shared_ptr<const Adapters> adapters_;  // Keeps what the rules point to.
    std::vector<Rule> rules_;
    std::vector<Operand> operands_;
    std::unordered_map<std::string, std::vector<Use>, Hash, std::equal_to<>> uses_;  // By name without "_total".
};

}  // namespace stoker::collect
