// A forked child that asks a subject something and may well die of it.
#pragma once

namespace assay {

// Called first thing in the child: dies with the parent and after `seconds` by SIGALRM, leaves no core, and dies of a
// crash itself, without the handlers and reports that the parent (a sanitizer, a fuzzing engine) has installed.
void become_quiet_child(unsigned seconds);

}  // namespace assay
