package openapitest

// closeIn closes every schema of a document: what it does not describe is not
// allowed where it is used. A schema that is a part of another is closed with that
// one, which knows all the parts.
func closeIn(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			closeIn(e)
		}
	case map[string]any:
		for key, e := range v {
			switch key {
			case "schema":
				closeUse(e)
			case "schemas": // each is closed where it is used
				for _, named := range object(e) {
					closeParts(named)
				}
			case "example", "examples":
			default:
				closeIn(e)
			}
		}
	}
}

// closeUse closes a schema that is used as a whole.
func closeUse(v any) {
	m := object(v)
	if m == nil {
		return
	}
	closeParts(m)
	if _, open := m["additionalProperties"]; !open {
		m["unevaluatedProperties"] = false
	}
}

// closeParts closes what values inside a schema's own are.
func closeParts(v any) {
	m := object(v)
	for _, property := range object(m["properties"]) {
		closeUse(property)
	}
	closeUse(m["items"])
	closeUse(m["additionalProperties"])
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := m[key].([]any)
		for _, part := range parts {
			closeParts(part)
		}
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
