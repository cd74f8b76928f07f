-- Which items several files, or several folders of one, have: once for each content, with all places.
--
-- What is damaged is no copy of anything, and a made-up Message-ID or the bytes of an .eml are no key (docs/MANIFEST.md).
select count(*) as copies, min(subject) as subject, list(source || ': ' || path order by source, path) as places
from 'mail.parquet'
where level = 0 and content_hash <> '' and not content_damaged
group by content_hash
having copies > 1
order by copies desc, places;
