import { serve } from "../serve.ts";
import { random } from "./provider.ts";

await serve(random);
