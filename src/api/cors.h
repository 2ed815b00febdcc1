// Who may act through a browser: this page, and the pages of sites that the configuration names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http.h"

namespace stoker::api {

class Origins {
public:
    // Origins ("https://grafana.example") that may read answers, "*" for all. None: no header says so.
    explicit Origins(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

    bool any() const { return !allowed_.empty(); }

    // Whether this request was made by a page of another site: browsers say where a request comes from.
    static bool foreign(const net::RequestHead& head);

    // Whether the page that made this request may read answers.
    bool allows(const net::RequestHead& head) const { return answer_for(head).has_value(); }

    // Adds what browsers want to see before they hand the answer to such a page.
    void mark(const net::RequestHead& head, net::Response& response) const;

private:
    // The value of Access-Control-Allow-Origin.
    std::optional<std::string> answer_for(const net::RequestHead& head) const;

    const std::vector<std::string> allowed_;
};

}  // namespace stoker::api
