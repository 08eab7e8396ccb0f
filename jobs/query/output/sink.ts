import { systemCode } from '../../errors.ts'

/** Where a result goes. */
export interface Sink {
  write(text: string): Promise<void>
  /** Whoever read has gone (`| head`): nothing more is wanted. */
  isGone(): boolean
}

/** This process's standard output. Errors: those of the stream, but that its reader is gone. */
export function standardOutput(): Sink & { flush(): Promise<void> } {
  const { stdout } = process
  let gone = false
  let broken: Error | undefined
  stdout.on('error', (error) => {
    if (systemCode(error) === 'EPIPE') gone = true
    else broken ??= error
  })
  const check = (): void => {
    if (broken !== undefined) throw broken
  }
  return {
    async write(text) {
      check()
      if (gone || text === '') return
      if (stdout.write(text)) return
      await new Promise<void>((resolve) => {
        for (const name of ['drain', 'error', 'close'])
          stdout.once(name, () => {
            resolve()
          })
      })
    },
    isGone: () => gone,
    async flush() {
      await new Promise<void>((resolve) => {
        if (gone || stdout.destroyed) resolve()
        else
          stdout.write('', () => {
            resolve()
          })
      })
      check()
    },
  }
}
