/** The name under which a fiber's context has the actor system: a host in another thread provides it without loading all of it. */
export const systemKey = "troupe/actors/ActorSystem"
