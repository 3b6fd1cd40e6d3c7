import { stat } from 'node:fs/promises'
import { commandVerdict } from '../src/check/command/verdict.ts'
import type { Check, Target } from '../src/check/contract.ts'
import { checkcommand } from '../src/check/fields.ts'
import { codeOf } from '../src/lib/errors.ts'
import { type Command, runCommand } from '../src/lib/run-command.ts'
import { bracketed } from '../src/model/service.ts'

const fields = { checkcommand }

/** Runs the operator's command; exit status 0 is up. */
export const external: Check<typeof fields> = {
  name: 'external',
  kind: 'external',
  summary: 'runs checkcommand with the addresses and ports of the virtual service and the real server',
  defaultForPorts: [],
  timeout: 'checktimeout',
  seesVirtual: true,
  fields,
  async run(target, { checkcommand: text }, { signal, step }) {
    const { file, args } = await readCommand(text)
    step(`running ${file}`)
    const result = await runCommand({ file, args: [...args, ...fourArguments(target)] }, signal)
    return commandVerdict(file, result, signal)
  },
}

/** Virtual address or mark, its port, real address, its configured port (behaviour reference 3.3), IPv6 in brackets. */
export function fourArguments({ virtual, address, port }: Target): readonly string[] {
  const seen = virtual ?? { address, port, realAddress: address, realPort: port }
  const texts = [seen.address, seen.port, seen.realAddress, seen.realPort]
  return texts.map((value) => (typeof value === 'number' ? String(value) : inBrackets(value)))
}

function inBrackets(address: string): string {
  return address.startsWith('[') ? address : bracketed(address)
}

/** Perl ldirectord takes the whole text for the path. Only where no such file is, blanks separate arguments (D32). */
async function readCommand(text: string): Promise<Command> {
  const [file = '', ...args] = text.split(/[ \t]+/).filter((word) => word !== '')
  if (args.length === 0) return { file: text, args: [] }
  const missing = await stat(text).then(
    () => false,
    (error: unknown) => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR',
  )
  return missing ? { file, args } : { file: text, args: [] }
}
