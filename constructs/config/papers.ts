import { Construct } from "constructs";
import { JsonFile, TemplateFile } from "../core/generated-file.ts";
import { elsewhere } from "../elsewhere.ts";
import { configurationSchema, keyTables } from "./reference.ts";

/** What is said about `cc-ci.yaml` outside of it: the schema for editors and the page for operators. */
export class ConfigurationPapers extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new JsonFile(this, "schema", {
      path: elsewhere.configurationSchema,
      content: configurationSchema,
    });
    new TemplateFile(this, "page", {
      path: elsewhere.configurationPage,
      template: "docs/configuration.md",
      comment: "<!--",
      context: () => ({ tables: keyTables() }),
    });
  }
}
