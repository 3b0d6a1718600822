// SPDX-License-Identifier: Apache-2.0
//
// The job "pacer" of sabot-helper.
#ifndef SABOT_AGENT_PACER_JOB_H_
#define SABOT_AGENT_PACER_JOB_H_

#include <span>

namespace sabot::pacer {

// Does the job with the arguments after its name; gives the exit status: 0 the agent let go and all frames
// are released, 1 it could not begin or go on (said on standard error), 2 bad arguments (likewise).
int RunJob(std::span<const char* const> words);

}  // namespace sabot::pacer

#endif  // SABOT_AGENT_PACER_JOB_H_
