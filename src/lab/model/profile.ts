/**
 * profile.ts — what things cost on a machine: the model's only source of time. A profile is data
 * (src/lab/model/profiles/*.json), each number with where it comes from; `host` is measured by a probe.
 *
 * CPUs fill clusters of `cluster` CPUs that share a last-level cache; clusters are spread evenly over the sockets.
 */

/** Nanoseconds of one event each. */
export interface Costs {
  /** a load or store of a line this CPU has, with the instructions around it */
  readonly access: number;
  /** what a locked operation takes on top, the line already here */
  readonly locked: number;
  /** a line no CPU has */
  readonly memory: number;
  /** a line another CPU of the cluster, of the socket, of another socket has, or has to give up */
  readonly transferCluster: number;
  readonly transferSocket: number;
  readonly transferRemote: number;
  /** the pause of one turn of a wait loop */
  readonly pause: number;
  /** what the sender of an interrupt does */
  readonly ipiSend: number;
  /** from the send to the moment the target may see it */
  readonly ipiDeliver: number;
  /** what the target pays to enter and leave the handler */
  readonly ipiEntry: number;
  /** going to sleep */
  readonly futexWait: number;
  /** ringing: what the waker pays */
  readonly futexNotify: number;
  /** from the ring to the sleeper's next instruction */
  readonly futexWake: number;
}

export type Cost = keyof Costs;

export interface CostProfile {
  readonly name: string;
  readonly title: string;
  /** CPUs that share a last-level cache */
  readonly cluster: number;
  readonly sockets: number;
  readonly ns: Costs;
  /** where each number comes from */
  readonly sources: Readonly<Record<Cost, string>>;
}
