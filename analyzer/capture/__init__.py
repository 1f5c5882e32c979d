"""Files to raw records: pcap and pcapng, plain or compressed, from files and stdin; and what each file's point is."""
