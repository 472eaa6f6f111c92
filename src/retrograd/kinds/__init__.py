"""The kinds of run, a folder for each: what data becomes before and after the network."""
