import { type Operation, TableError } from './operation.ts'
import { faultOf } from './validate.ts'

/** What can have failed: one operation, or asking for the table at all. */
export type Asked = Operation | 'lookup' | 'read'

/** A sentence a human can act on, for an errno by its name and what was asked (ip_vs gives no text of its own). */
export function describeRefusal(asked: Asked, code: string): string {
  const what = typeof asked === 'string' ? asked : asked.kind
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return 'not permitted: IPVS wants CAP_NET_ADMIN in the first user namespace; run as root or grant the capability'
    case 'EPROTONOSUPPORT':
      return 'this kernel has no generic netlink, the way to IPVS'
    case 'ENOENT':
      return notFound(asked)
    case 'ESRCH':
      return 'there is no such virtual service in the kernel; others may have removed it'
    case 'EEXIST':
      return what === 'add-service'
        ? 'the virtual service is in the kernel already'
        : 'the destination is in the virtual service already'
    case 'EINVAL':
      return invalid(what)
    case 'ERANGE':
      return 'the weight is negative, or the lower threshold is above the upper'
    case 'EAFNOSUPPORT':
      return 'the kernel does not know this address family: is IPv6 built in, or its module loaded (modprobe ipv6)?'
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
      return 'the IPVS of this kernel does not know this operation'
    case 'EBUSY':
      return 'the IPVS table is busy; it is tried again'
    case 'ENOMEM':
      return 'the kernel has no memory for it'
    case 'ETIMEDOUT':
      return 'the kernel did not answer'
    default:
      return `the kernel refuses with ${code}`
  }
}

/** The refusal as an error. The operation is not in its text: an Outcome has it, to be told in ipvsadm's notation. */
export function refusalOf(asked: Asked, code: string, options?: ErrorOptions): TableError {
  return new TableError(code, `${describeRefusal(asked, code)} (${code})`, options)
}

/** What an operation is refused for before it is sent (validate.ts), as an error. */
export function faultErrorOf(operation: Operation): TableError | undefined {
  const fault = faultOf(operation)
  return fault === undefined ? undefined : new TableError(fault.code, `${fault.sentence} (${fault.code})`)
}

function notFound(asked: Asked): string {
  if (asked === 'lookup') return 'this kernel has no IPVS: load the module (modprobe ip_vs) or use a kernel that has it'
  if (asked === 'read') return 'IPVS has gone from this kernel while it was asked: modprobe ip_vs'
  switch (asked.kind) {
    case 'add-service':
    case 'edit-service':
      return `no scheduler "${asked.settings.scheduler}": modprobe ip_vs_${asked.settings.scheduler}, or the name is wrong`
    case 'edit-destination':
    case 'delete-destination':
      return 'there is no such destination in the virtual service; others may have removed it'
    default:
      return 'IPVS has gone from this kernel while it was asked: modprobe ip_vs'
  }
}

function invalid(what: string): string {
  if (what === 'add-destination' || what === 'edit-destination') {
    return "the address must be one host's (no broadcast, multicast or link-local), of the service's family unless ipip"
  }
  return 'the kernel finds an attribute missing, too long or out of range'
}
