import { normaliseAddress } from '../lib/ip.ts'
import type { Family } from '../model/service.ts'
import type { Firewall, MarkRule } from './facts.ts'

/** What one listing of rules says in one family. */
export type Rules = Pick<Firewall, 'marks' | 'computed' | 'stateful'>

const noRules: Rules = { marks: [], computed: false, stateful: false }

/** The listing of `iptables-save` or `ip6tables-save`. */
export function readSaved(text: string): Rules {
  const rules = text.split('\n').filter((line) => line.startsWith('-A '))
  return {
    marks: rules.flatMap((rule) => marksOf(rule)),
    computed: rules.some((rule) => / -j HMARK| --map-mark/.test(rule)),
    stateful: rules.some((rule) =>
      / -m (conntrack|state|connmark|connlimit|connbytes) | -j (MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP|CONNMARK)\b/.test(
        rule,
      ),
    ),
  }
}

/** `--set-xmark 0x7/0xffffffff`; `--or-mark` and `--and-mark` are saved in this form too. */
function marksOf(rule: string): MarkRule[] {
  const found = rule.matchAll(/ --(?:set-x?mark|tproxy-mark) (0x[0-9a-fA-F]+|\d+)(?:\/(0x[0-9a-fA-F]+|\d+))?/g)
  const to = goingTo(/(?<!!) -d (\S+)/.exec(rule)?.[1])
  return [...found].map(([, value, mask]) => ({
    value: Number(value) >>> 0,
    mask: Number(mask ?? 0xffffffff) >>> 0,
    ...to,
  }))
}

/** `192.0.2.10/32`, or without the prefix; nothing for networks, sets and negations. */
function goingTo(text: string | undefined): Pick<MarkRule, 'to'> {
  const [written = '', prefix] = text?.split('/') ?? []
  const family = written.includes(':') ? 6 : 4
  const to = normaliseAddress(written, family)
  const isOne = prefix === undefined || prefix === (family === 6 ? '128' : '32')
  return to !== undefined && isOne ? { to } : {}
}

/** The listing of `nft list ruleset`, by family; tables of inet, bridge and netdev are of both. */
export function readRuleset(text: string): Readonly<Record<Family, Rules>> {
  const families: Record<Family, Rules> = { 4: noRules, 6: noRules }
  for (const table of text.split(/^(?=table )/m)) {
    const [, family = ''] = /^table (\w+) /.exec(table) ?? []
    const rules = readTable(table)
    if (family !== 'ip6') families[4] = joinRules(families[4], rules)
    if (family !== 'ip') families[6] = joinRules(families[6], rules)
  }
  return families
}

function readTable(table: string): Rules {
  const marks: MarkRule[] = []
  let computed = false
  for (const [, before = '', value = ''] of table.matchAll(/^(.*)\bmark set (.*)$/gm)) {
    const set = markSet(value)
    if (set === undefined) computed = true
    else if (set !== 'carried over') marks.push({ ...set, ...goingTo(/\bdaddr (\S+)/.exec(before)?.[1]) })
  }
  return {
    marks,
    computed,
    stateful: /\bct (state|status|mark|count)\b|\b(masquerade|snat|dnat|redirect)\b/.test(table),
  }
}

/** What stands behind `mark set`, as nft prints it. A mark that is only carried over is set somewhere else. */
function markSet(value: string): MarkRule | 'carried over' | undefined {
  const [, number] = /^(0x[0-9a-fA-F]+|\d+)(?: [a-z]|$)/.exec(value) ?? []
  if (number !== undefined) return { value: Number(number) >>> 0, mask: 0xffffffff }
  const [whole, kept, added] =
    /^(?:ct|meta) mark(?: & (0x[0-9a-f]+))?(?: \| (0x[0-9a-f]+))?(?= [a-z]|$)/.exec(value) ?? []
  if (whole === undefined || / (and|or|xor) /.test(value)) return undefined
  if (kept === undefined && added === undefined) return 'carried over'
  const bits = Number(added ?? 0) >>> 0
  return { value: bits, mask: (~Number(kept ?? 0xffffffff) | bits) >>> 0 }
}

export function joinRules(a: Rules, b: Rules): Rules {
  return {
    marks: [...a.marks, ...b.marks],
    computed: a.computed || b.computed,
    stateful: a.stateful || b.stateful,
  }
}
