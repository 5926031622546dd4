-- Of a file of parts of days: the shard whose issues are in it. Its `days` are what all shards of a day have in common, and
-- coverage and servers as far as they are of the shard's issues.
CREATE TABLE part (
    shard_index INTEGER NOT NULL,
    shard_count INTEGER NOT NULL CHECK (0 <= shard_index AND shard_index < shard_count)
) STRICT;
