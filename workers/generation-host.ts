/** Entry of the generation process: the same worker threads as in the server, where a crash of the runtime ends no socket. */
import { hostGenerations } from '../src/pool/process-host-loop.ts';

hostGenerations(process);
