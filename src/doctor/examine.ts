import { loopbackMasquerade, otherPort, ownRealServer, packetLoop, virtualAddress } from './address-rules.ts'
import { clock, readableSecrets, writableConfig } from './file-rules.ts'
import type { Finding, Severity, Unseen } from './finding.ts'
import { ownArp, strictReversePath, tunnelReversePath } from './link-rules.ts'
import { firewallMarks, markedAddresses } from './mark-rules.ts'
import { ftpHelper, ipvs, scheduler } from './module-rules.ts'
import { hiddenPrograms, programs } from './program-rules.ts'
import { realServers } from './real-server-rules.ts'
import type { Rule, Subject } from './subject.ts'
import { conntrack, forwarding, ipvsSettings, reuseDelay } from './sysctl-rules.ts'

/** The only list. */
const rules: readonly Rule[] = [
  ipvs,
  scheduler,
  ftpHelper,
  virtualAddress,
  forwarding,
  firewallMarks,
  markedAddresses,
  loopbackMasquerade,
  otherPort,
  ownRealServer,
  packetLoop,
  ipvsSettings,
  conntrack,
  reuseDelay,
  ownArp,
  tunnelReversePath,
  strictReversePath,
  programs,
  hiddenPrograms,
  writableConfig,
  readableSecrets,
  clock,
  realServers,
]

export interface Examination {
  /** Errors first; among equals in the order of the rules. */
  readonly findings: readonly Finding[]
  /** Each once. */
  readonly unseen: readonly Unseen[]
}

const order: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 }

/** Pure: all that can be said of this configuration on a machine with these facts. */
export function examine(subject: Subject): Examination {
  const remarks = rules.flatMap((rule) => rule(subject))
  const findings = remarks.filter((remark) => remark.kind === 'finding')
  const unseen = remarks.filter((remark) => remark.kind === 'unseen')
  return {
    findings: findings.toSorted((a, b) => order[a.severity] - order[b.severity]),
    unseen: [...new Map(unseen.map((each) => [`${each.what}\n${each.reason}`, each])).values()],
  }
}
