/** The kernel's time-outs for idle connections, in seconds as the kernel has them (`ipvsadm -L --timeout`). */
export interface ConnectionTimeouts {
  /** A TCP connection without traffic. */
  readonly tcp: number
  /** A TCP connection after its FIN. */
  readonly tcpFin: number
  readonly udp: number
}

/** 31 days: what ipvsadm allows; larger ones overflow in the kernel (reference ipvs-netlink). */
export const longestTimeoutSeconds = 31 * 24 * 3600
