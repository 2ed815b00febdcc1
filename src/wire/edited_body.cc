#include "wire/edited_body.h"

#include <utility>

namespace stoker::wire {

void EditedBody::add(std::string_view piece) {
    if (!piece.empty()) pieces_[count_++] = piece;
}

void EditedBody::assign(std::string_view body, BodyEdits edits) {
    edits_ = std::move(edits);
    count_ = 0;
    std::size_t at = 0;
    for (const BodyEdit& edit : edits_.all()) {
        add(body.substr(at, edit.where.begin - at));
        add(edit.text);
        at = edit.where.end;
    }
    add(body.substr(at));
}

std::string EditedBody::text() const {
    std::string text;
    for (const std::string_view piece : pieces()) text += piece;
    return text;
}

}  // namespace stoker::wire
