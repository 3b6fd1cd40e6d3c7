/** What the thread is asked to do. The password is in it: it goes from one heap to another and nowhere else. */
export interface OracleQuestion {
  readonly address: string
  readonly port: number
  readonly login: string
  readonly password: string
  /** A SID or a service name. */
  readonly database: string
  readonly sql: string
  /** The driver's own limit, whole seconds: beyond the probe's deadline, which is kept from outside. */
  readonly limitSeconds: number
}

/** What went wrong, in the driver's words or the system's. */
export interface OracleFault {
  /** `NJS-…`, `ORA-…`, or none. */
  readonly code: string
  readonly message: string
  /** Of the connection itself: `ECONNREFUSED` … */
  readonly system?: string
}

/** What the thread says, in this order: steps, one outcome, and after rows that it has said good-bye. */
export type OracleMessage =
  | { readonly kind: 'step'; readonly note: string }
  | { readonly kind: 'answer'; readonly rows: boolean }
  | { readonly kind: 'left' }
  | { readonly kind: 'fault'; readonly fault: OracleFault }
  | { readonly kind: 'endless' }
  | { readonly kind: 'missing' }
