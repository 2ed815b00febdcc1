// Result<T>: a value, or the Error that kept us from getting one.
//
// Errors are values everywhere in Stoker; exceptions mean a bug or a library that throws, and are turned into a Result
// at that library's border. TRY and CO_TRY bind the value or return the error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace stoker {

// What went wrong, in terms a caller can act on. net::status_of maps each code to one HTTP status.
enum class Errc : std::uint8_t {
    NotFound,
    InvalidArgument,
    Conflict,
    Unavailable,
    DeadlineExceeded,
    ResourceExhausted,  // A limit or a bound was hit: try again later, or with less.
    PermissionDenied,
    Corruption,
    Cancelled,  // The one who asked has gone.
    Internal
};

// The code as snake_case text ("not_found"), stable: API answers and logs carry it.
std::string_view to_string(Errc code);

// An error that crosses a module border: a code to branch on and a sentence for the operator.
struct [[nodiscard]] Error {
    Errc code;
    std::string message;
    std::uint16_t detail = 0;  // A module's own finer code (net::Fault, for one); 0 when there is none.

    // The same error seen from one level up: "load rules: line 7: unknown label".
    Error context(std::string_view where) && { return {code, std::string(where) + ": " + std::move(message), detail}; }
};

// A T, or an Error. Named after std::expected so that it can become one.
template <typename T>
class [[nodiscard]] Result {
public:
    Result() : Result(Error{Errc::Internal, "result never set"}) {}        // asio::co_spawn default-constructs results.
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    // REQUIRES: has_value().
    T& operator*() & { return *std::get_if<0>(&state_); }
    const T& operator*() const& { return *std::get_if<0>(&state_); }
    T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() { return std::get_if<0>(&state_); }
    const T* operator->() const { return std::get_if<0>(&state_); }

    // REQUIRES: !has_value().
    const Error& error() const& { return *std::get_if<1>(&state_); }
    Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

    T value_or(T fallback) && { return has_value() ? *std::move(*this) : std::move(fallback); }

private:
    std::variant<T, Error> state_;
};

// A Result with nothing to carry: `Result<Unit> flush();` ... `return Unit{};`.
struct Unit {};

}  // namespace stoker

#define STOKER_CONCAT_(a, b) a##b
#define STOKER_CONCAT(a, b) STOKER_CONCAT_(a, b)
#define STOKER_TRY_(tmp, lhs, expr, ret)  \
    auto tmp = (expr);                    \
    if (!tmp) ret std::move(tmp).error(); \
    lhs = *std::move(tmp)
#define STOKER_TRY_UNIT_(tmp, expr, ret) \
    if (auto tmp = (expr); !tmp) ret std::move(tmp).error()

// TRY(auto rules, parse(text)); returns the error or binds the value. CO_TRY is its twin for coroutines.
// TRY_UNIT(flush()); is for Result<Unit>; CO_TRY_UNIT its twin.
// Declarations, not expressions: GCC 12 crashes on a co_await inside a statement expression.
#define TRY(lhs, expr) STOKER_TRY_(STOKER_CONCAT(try_, __LINE__), lhs, expr, return )
#define CO_TRY(lhs, expr) STOKER_TRY_(STOKER_CONCAT(try_, __LINE__), lhs, expr, co_return )
#define TRY_UNIT(expr) STOKER_TRY_UNIT_(STOKER_CONCAT(try_, __LINE__), expr, return )
#define CO_TRY_UNIT(expr) STOKER_TRY_UNIT_(STOKER_CONCAT(try_, __LINE__), expr, co_return )
