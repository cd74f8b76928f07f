#![no_main]

ostfs_fuzz::target_of_records!(outputs);
