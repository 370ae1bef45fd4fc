@rem What "exec" of the start script is on Windows: on POSIX the shell makes way for node, so that signals reach it.
@%*
