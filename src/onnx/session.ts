import { InferenceSession, listSupportedBackends } from 'onnxruntime-node';

/** Where a model runs. */
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml';

export interface SessionOptions {
  /** Of the runtime's own pool. */
  readonly threads: number;
  /** Default: the processor. */
  readonly provider?: Provider;
  /** Which of several GPUs; WebGPU and CoreML choose for themselves. */
  readonly deviceId?: number;
  /** Outputs that stay in the memory of the GPU. */
  readonly onDevice?: readonly string[];
}

/**
 * The runtime's memory patterns assume shapes that repeat; ours grow with every token, and each new shape would
 * leave a pattern behind for ever. Its spinning threads are kept: a step is a chain of very short kernels.
 *
 * @throws when the graph cannot be loaded, or the provider cannot be had.
 */
export async function openSession(
  graphPath: string,
  { threads, provider = 'cpu', deviceId = 0, onDevice = [] }: SessionOptions,
): Promise<InferenceSession> {
  // The runtime would pass over a name that it does not know, and say nothing.
  if (!listSupportedBackends().some(({ name }) => name === provider)) {
    throw new Error(`the runtime has no "${provider}" on ${process.platform}-${process.arch}`);
  }
  return await InferenceSession.create(graphPath, {
    // What a GPU has no kernel for runs on the processor.
    executionProviders: [...(provider === 'cpu' ? [] : [providerOption(provider, deviceId)]), 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(onDevice.length === 0
      ? {}
      : {
          preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer'] as const)),
        }),
  });
}

function providerOption(provider: Exclude<Provider, 'cpu'>, deviceId: number) {
  return provider === 'cuda' || provider === 'dml' ? { name: provider, deviceId } : provider;
}
