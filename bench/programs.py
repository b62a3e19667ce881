"""Programs that people run, with their input made here; the same for whatever is measured with them."""
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SQL = """create table t(id integer primary key, name text, weight real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
  insert into t select i, hex(randomblob(12)), i * 0.5 from n;
create index by_name on t(name);
select count(*), sum(length(name)) from t where name > '7';
select a.id from t a join t b on a.name = b.name order by a.weight desc limit 5;
"""
SCRIPT = """words = {{}}
for i in range({rows}):
    words.setdefault(str(i * 7919 % 5003), []).append((i, str(i)))
print(sum(len(v) for v in words.values()), len(sorted(words)))
"""
PERL = 'my %h; $h{$_ * 7919 % 5003} .= "$_ " for 1..shift; print scalar(keys %h), "\\n"'
SOURCE = """#include <algorithm>
#include <map>
#include <string>
#include <vector>
int main() { std::map<std::string, std::vector<int>> m; m["a"].push_back(1); return (int)m.size() - 1; }
"""


def programs(scratch, scale=1):
    """(kind, command) of each program; their input is made here, for most of them in proportion to the scale."""
    (scratch / "a.cc").write_text(SOURCE)
    (scratch / "a.py").write_text(SCRIPT.format(rows=150_000 * scale))
    (scratch / "a.sql").write_text(SQL.format(rows=60_000 * scale))
    lines = "".join(f"{i * 2654435761 % 1000003:07d} line {i}\n" for i in range(400_000 * scale))
    (scratch / "lines").write_text(lines)
    return {
        "g++": ("compiler", ["g++", "-O1", "-c", "a.cc", "-o", "a.o"]),
        "python3": ("interpreter", ["/usr/bin/python3", "a.py"]),
        "perl": ("interpreter", ["perl", "-e", PERL, str(400_000 * scale)]),
        "git": ("version control", ["git", "-C", str(ROOT), "log", "--stat", "-n", str(150 * scale)]),
        "sqlite3": ("database", ["sqlite3", ":memory:", ".read a.sql"]),
        "xz": ("compressor, two threads", ["xz", "-1", "-k", "-f", "-T2", "--block-size=1MiB", "lines"]),
        "sort": ("sort, two threads", ["sort", "--parallel=2", "-S", "8M", "lines", "-o", "sorted"]),
        "gdb": ("debugger, threads", ["gdb", "-batch", "-nx", "-ex", "info functions malloc", "/bin/bash"]),
    }
