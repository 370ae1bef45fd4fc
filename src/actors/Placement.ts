/** Where an actor's incarnations live: as fibers of its owner's thread, in a worker thread, or in a child process. */
export type Placement = "fiber" | "thread" | "process"
