// The book of keys as the console's API speaks of it.
#pragma once

#include "api/services.h"
#include "app/key_book.h"

namespace stoker::app {

// `book` outlives it.
api::KeyServices key_services(KeyBook& book);

}  // namespace stoker::app
