-- Makes one table of all records: index/*.jsonl, each of one data file, become mail.parquet.
--
-- `source` is the data file of a record, by its own path, which is that of the last record of each index.
create or replace temp view records as
    select * from read_json('index/*.jsonl', format = 'newline_delimited', sample_size = -1,
                            union_by_name = true, filename = true);

copy (
    select sources.path as source, sources.sha256 as source_sha256, records.* exclude (filename)
    from records
    join (select filename, path, sha256 from records where class = 'source') as sources using (filename)
    where records.class <> 'source'
    order by source, path
) to 'mail.parquet' (format parquet);

select source, count(*) as items, min(sent)::varchar as first_sent, max(sent)::varchar as last_sent
from 'mail.parquet' where level = 0 group by source order by source;
