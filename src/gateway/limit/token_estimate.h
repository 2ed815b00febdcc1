// How many tokens a request will use, before any engine has counted: learnt for each model from what engines said of
// the requests before.
//
// The prompt: its bytes by the model's bytes per token (4 until learnt), a moving average over usage reported by
// engines. The output: max_tokens if the client set it, else the model's typical output, mean plus mean deviation (256
// until learnt).
//
// Thread-safe. Models come from the configuration, so there are few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/sync.h"
#include "gateway/meter/tokens.h"

namespace stoker::gateway {

class TokenEstimator {
public:
    std::int64_t estimate(std::string_view model, std::size_t prompt_bytes,
                          std::optional<std::int64_t> max_tokens) const;

    // What the engine counted of one request. `completion_tokens` that were cut short teach nothing of the typical
    // output; give nullopt then.
    void learn(std::string_view model, std::size_t prompt_bytes, std::int64_t prompt_tokens,
               std::optional<std::int64_t> completion_tokens);

    struct Learnt {
        double bytes_per_token = kBytesPerToken;
        double output_mean = 256;
        double output_deviation = 0;
        std::uint64_t prompts = 0;
        std::uint64_t outputs = 0;
    };
    Learnt learnt(std::string_view model) const;

private:
    mutable Mutex mutex_;
    std::map<std::string, Learnt, std::less<>> models_ GUARDED_BY(mutex_);
};

}  // namespace stoker::gateway
