/** Where a command gets its input and leaves its output. */
export type CommandIo = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The program that runs Node, and who runs it; undefined where users have no numbers. */
  readonly host?: { readonly nodePath: string; readonly uid: number | undefined };
  /** One line of result. */
  readonly say: (line: string) => void;
  /** A person who can be asked; absent when nobody sits there. */
  readonly terminal?: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream } | undefined;
  /** Calls back when the person wants an end (Ctrl-C), instead of ending the program; returns how to stop that. */
  readonly onInterrupt?: ((listener: () => void) => () => void) | undefined;
  /** Replaces the line that shows how far the work is; absent when nobody watches. */
  readonly progress?: ((text: string) => void) | undefined;
};

/** One command of the terminal. */
export type Command = {
  readonly name: string;
  /** Lines of the usage text: how it is called and what it does. */
  readonly usage: readonly (readonly [call: string, summary: string])[];
  /** Returns the exit code. Throws CommandError for what the person can mend. */
  run(args: readonly string[], io: CommandIo): Promise<number>;
};

/** A sentence for the person at the terminal; no stack is shown. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
