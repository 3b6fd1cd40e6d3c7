import { DEFAULT_CONFIG, findConfig } from '../config/find.ts'
import { examine } from '../doctor/examine.ts'
import { gather } from '../doctor/gather.ts'
import { type Machine, thisMachine } from '../doctor/machine.ts'
import { hasErrors } from '../lib/diagnostics.ts'
import { type CliContext, exitCode } from './context.ts'
import { type DoctorReport, formatReport, reportJson } from './doctor-report.ts'
import { validate } from './validate.ts'

type DoctorPorts = Pick<CliContext, 'out' | 'err' | 'load'>

export interface DoctorOptions {
  readonly config: string | undefined
  readonly json: boolean
}

/**
 * `doctor [config]`: this configuration against this machine. Changes nothing. Exit 0, 1 with errors among the findings,
 * 2 when the configuration has errors, which are told as `validate` tells them.
 */
export async function doctor(
  ports: DoctorPorts,
  { config: name, json }: DoctorOptions,
  machine: Machine = thisMachine(),
): Promise<number> {
  const file = findConfig(name)
  const loaded = file === undefined ? undefined : await ports.load(file)
  if (loaded?.config === undefined || hasErrors(loaded.diagnostics)) {
    // It reads the file again only when there is none.
    const load: DoctorPorts['load'] = async (path) => loaded ?? (await ports.load(path))
    await validate({ ...ports, load }, { config: name, json, print: false })
    return exitCode.configError
  }
  const { config, text, diagnostics } = loaded
  const facts = await gather(machine, config)
  const report: DoctorReport = {
    file: file ?? DEFAULT_CONFIG,
    remarks: diagnostics.length,
    ...examine({ config, text, facts }),
  }
  ports.out(json ? reportJson(report) : formatReport(report))
  return report.findings.some(({ severity }) => severity === 'error') ? exitCode.doctorErrors : exitCode.ok
}
