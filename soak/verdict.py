"""What a campaign's silence is worth: the one word and the sentence that the runner and the report give."""

from status import clock


def verdict_of(state, bugs):
    """(word, sentence). `clean` takes more than that nothing was found: programs ran, the canary was found, no lane failed.

    A canary that had too few programs says nothing of the tester (`not proven`); one that had them all and lives does (`failed`).
    """
    canary, lanes = state["canary"], state["lanes"].values()
    news = [bug for bug in bugs if bug["status"] != "known"]
    hangs, faults = sum(lane["hangs"] for lane in lanes), sum(lane["faults"] for lane in lanes)
    programs = sum(lane["programs"] for lane in lanes)
    if news:
        return "violation", f"{len(news)} {'bug' if len(news) == 1 else 'bugs'} in {clock(state['spent'])}"
    if canary is None:
        return "unknown", "the canary has not been hunted to its end: silence means nothing yet"
    if not canary["found"] and (canary["programs"] or 0) < canary.get("asked", 0):
        return "not proven", (f"the canary had {canary['programs']:,} of {canary['asked']:,} programs in the time that there was, and was not found in them "
                              f"({canary['message']}): silence means nothing yet")
    if not canary["found"]:
        return "failed", f"the canary was not found in {canary['programs'] or 0:,} programs: silence means nothing"
    if programs == 0:
        return "unknown", "no program has run to its end yet: silence means nothing"
    if hangs or faults:
        return "failed", f"{hangs} slices hung and {faults} failed (logs/): what they would have found nobody knows"
    return "clean", f"no violation in {programs:,} programs and {clock(state['spent'])}, and the canary was found after {canary['programs']:,} programs"
