// The library of failure modes, and how well each explains what was seen.
//
// Confidence is the posterior of naive Bayes over the table in failure_modes.cc, "unknown" included:
//
//   weight(mode) = prior(mode) * product over observations of (seen ? p : 1 - p),  p = P(finding | mode)
//   confidence   = weight(mode) / sum of all weights
//
// so that a finding raises the modes that predict it, its absence lowers them, and what nobody could find out changes
// nothing. p defaults to the finding's base rate. Pure; thread-safe.
#pragma once

#include <vector>

#include "diagnose/finding.h"
#include "diagnose/incident.h"

namespace stoker::diagnose {

// Best first, at least one, at most three. Evidence of a hypothesis: the observations that speak for it.
std::vector<Hypothesis> rank(const std::vector<Observation>& observations);

}  // namespace stoker::diagnose
