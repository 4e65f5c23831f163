package synth

// role is what somebody does, and how badges and doses go with it. Doses are in mSv for one badge.
type role struct {
	title, department string
	weight            float64 // among the kind's people
	female            float64
	register          string // professional register
	months            [3]float64
	eye, fingers      float64 // share who wear such badges beside the whole-body badge
	collar            float64
	neutron           float64 // share whose whole-body badge measures neutrons too
	classified        float64
	exposed           float64 // share who ever have a dose
	unused            float64 // share of badges that come back in their wrapper
	numeric           float64 // share of used badges of the exposed that have a number
	median            float64 // of these numbers
}

var (
	mostlyQuarterly = [3]float64{0.10, 0.22, 0.68}
	mixed           = [3]float64{0.24, 0.30, 0.46}
	mostlyMonthly   = [3]float64{0.75, 0.15, 0.10}
	quarterly       = [3]float64{0, 0.1, 0.9}
)

var nhsRoles = []role{
	{title: "Diagnostic Radiographer", department: "Radiology", weight: 24, female: 0.78, register: "HCPC", months: mixed, exposed: 0.16, unused: 0.05, numeric: 0.35, median: 0.10},
	{title: "Senior Radiographer", department: "Radiology", weight: 9, female: 0.75, register: "HCPC", months: mixed, exposed: 0.20, unused: 0.06, numeric: 0.35, median: 0.10},
	{title: "Consultant Radiologist", department: "Radiology", weight: 8, female: 0.42, register: "GMC", months: mixed, exposed: 1, unused: 0.51, numeric: 0.50, median: 0.07},
	{title: "Interventional Radiologist", department: "Interventional Radiology", weight: 2.2, female: 0.25, register: "GMC", months: mostlyMonthly, eye: 0.7, fingers: 0.6, collar: 0.3, classified: 0.2, exposed: 0.95, unused: 0.06, numeric: 0.62, median: 0.12},
	{title: "Interventional Radiology Nurse", department: "Interventional Radiology", weight: 2.6, female: 0.85, register: "NMC", months: mostlyMonthly, eye: 0.15, collar: 0.1, exposed: 0.6, unused: 0.05, numeric: 0.4, median: 0.09},
	{title: "Consultant Cardiologist", department: "Cardiac Catheter Laboratory", weight: 3.4, female: 0.22, register: "GMC", months: mostlyMonthly, eye: 0.5, fingers: 0.25, collar: 0.3, classified: 0.16, exposed: 0.9, unused: 0.10, numeric: 0.6, median: 0.12},
	{title: "Catheter Laboratory Nurse", department: "Cardiac Catheter Laboratory", weight: 4.5, female: 0.86, register: "NMC", months: mostlyMonthly, eye: 0.08, exposed: 0.55, unused: 0.05, numeric: 0.4, median: 0.09},
	{title: "Cardiac Physiologist", department: "Cardiac Catheter Laboratory", weight: 3.5, female: 0.7, months: mixed, exposed: 0.3, unused: 0.06, numeric: 0.3, median: 0.08},
	{title: "Theatre Nurse", department: "Theatres", weight: 13, female: 0.87, register: "NMC", months: mostlyQuarterly, exposed: 0.08, unused: 0.10, numeric: 0.3, median: 0.08},
	{title: "Operating Department Practitioner", department: "Theatres", weight: 7, female: 0.6, register: "HCPC", months: mostlyQuarterly, exposed: 0.08, unused: 0.10, numeric: 0.3, median: 0.08},
	{title: "Orthopaedic Surgeon", department: "Theatres", weight: 4, female: 0.12, register: "GMC", months: mostlyQuarterly, exposed: 0.15, unused: 0.25, numeric: 0.35, median: 0.10},
	{title: "Urologist", department: "Theatres", weight: 1.4, female: 0.15, register: "GMC", months: mostlyQuarterly, exposed: 0.2, unused: 0.2, numeric: 0.35, median: 0.10, fingers: 0.05},
	{title: "Anaesthetist", department: "Theatres", weight: 3.5, female: 0.4, register: "GMC", months: mostlyQuarterly, exposed: 0.06, unused: 0.25, numeric: 0.3, median: 0.07},
	{title: "Endoscopy Nurse", department: "Endoscopy", weight: 2.2, female: 0.88, register: "NMC", months: mostlyQuarterly, exposed: 0.12, unused: 0.08, numeric: 0.3, median: 0.08},
	{title: "Nuclear Medicine Technologist", department: "Nuclear Medicine", weight: 2.4, female: 0.68, months: mostlyMonthly, fingers: 0.85, exposed: 0.95, unused: 0.03, numeric: 0.8, median: 0.16},
	{title: "Radiopharmacist", department: "Nuclear Medicine", weight: 0.8, female: 0.6, register: "GPhC", months: mostlyMonthly, fingers: 0.95, classified: 0.45, exposed: 0.95, unused: 0.03, numeric: 0.75, median: 0.15},
	{title: "Clinical Scientist", department: "Medical Physics", weight: 2, female: 0.45, register: "HCPC", months: mostlyQuarterly, neutron: 0.2, classified: 0.03, exposed: 0.15, unused: 0.2, numeric: 0.3, median: 0.08},
	{title: "Therapeutic Radiographer", department: "Radiotherapy", weight: 4.6, female: 0.82, register: "HCPC", months: mostlyQuarterly, neutron: 0.12, exposed: 0.1, unused: 0.05, numeric: 0.25, median: 0.07},
	{title: "Radiotherapy Engineer", department: "Radiotherapy", weight: 0.8, female: 0.1, months: mostlyQuarterly, neutron: 0.4, exposed: 0.2, unused: 0.15, numeric: 0.3, median: 0.08},
	{title: "Dental Nurse", department: "Community Dental Service", weight: 1.5, female: 0.97, months: mostlyQuarterly, exposed: 0.02, unused: 0.04, numeric: 0.2, median: 0.06},
	{title: "Healthcare Support Worker", department: "Radiology", weight: 3, female: 0.8, months: mostlyQuarterly, exposed: 0.05, unused: 0.08, numeric: 0.25, median: 0.07},
	{title: "Porter", department: "Portering", weight: 0.6, female: 0.1, months: mostlyQuarterly, exposed: 0.02, unused: 0.15, numeric: 0.2, median: 0.06},
}

var hospitalRoles = []role{
	{title: "Radiographer", department: "Imaging", weight: 30, female: 0.76, register: "HCPC", months: mixed, exposed: 0.18, unused: 0.06, numeric: 0.35, median: 0.09},
	{title: "Consultant Radiologist", department: "Imaging", weight: 12, female: 0.4, register: "GMC", months: mostlyQuarterly, exposed: 1, unused: 0.51, numeric: 0.50, median: 0.07},
	{title: "Consultant Cardiologist", department: "Cardiology", weight: 5, female: 0.2, register: "GMC", months: mostlyMonthly, eye: 0.4, fingers: 0.2, collar: 0.2, exposed: 0.85, unused: 0.2, numeric: 0.55, median: 0.12},
	{title: "Theatre Nurse", department: "Theatres", weight: 28, female: 0.86, register: "NMC", months: mostlyQuarterly, exposed: 0.1, unused: 0.1, numeric: 0.3, median: 0.08},
	{title: "Operating Department Practitioner", department: "Theatres", weight: 12, female: 0.6, register: "HCPC", months: mostlyQuarterly, exposed: 0.1, unused: 0.1, numeric: 0.3, median: 0.08},
	{title: "Orthopaedic Surgeon", department: "Theatres", weight: 10, female: 0.1, register: "GMC", months: mostlyQuarterly, exposed: 0.15, unused: 0.3, numeric: 0.35, median: 0.1},
	{title: "Healthcare Support Worker", department: "Imaging", weight: 3, female: 0.8, months: quarterly, exposed: 0.05, unused: 0.08, numeric: 0.2, median: 0.07},
}

var dentalRoles = []role{
	{title: "Dentist", department: "Surgery", weight: 34, female: 0.52, register: "GDC", months: quarterly, exposed: 0.03, unused: 0.06, numeric: 0.2, median: 0.06},
	{title: "Dental Nurse", department: "Surgery", weight: 48, female: 0.97, register: "GDC", months: quarterly, exposed: 0.02, unused: 0.05, numeric: 0.2, median: 0.05},
	{title: "Dental Hygienist", department: "Surgery", weight: 14, female: 0.93, register: "GDC", months: quarterly, exposed: 0.02, unused: 0.06, numeric: 0.2, median: 0.05},
	{title: "Practice Manager", department: "Reception", weight: 4, female: 0.85, months: quarterly, exposed: 0, unused: 0.2, numeric: 0.1, median: 0.05},
}

var vetRoles = []role{
	{title: "Veterinary Surgeon", department: "Clinic", weight: 40, female: 0.58, register: "RCVS", months: quarterly, fingers: 0.03, exposed: 0.12, unused: 0.06, numeric: 0.3, median: 0.08},
	{title: "Veterinary Nurse", department: "Clinic", weight: 48, female: 0.95, register: "RCVS", months: quarterly, exposed: 0.12, unused: 0.05, numeric: 0.3, median: 0.08},
	{title: "Animal Care Assistant", department: "Clinic", weight: 12, female: 0.9, months: quarterly, exposed: 0.05, unused: 0.08, numeric: 0.2, median: 0.06},
}

var airportRoles = []role{
	{title: "Security Screener", department: "Passenger Screening", weight: 70, female: 0.38, months: quarterly, exposed: 0.02, unused: 0.04, numeric: 0.2, median: 0.05},
	{title: "Security Supervisor", department: "Passenger Screening", weight: 14, female: 0.35, months: quarterly, exposed: 0.02, unused: 0.06, numeric: 0.2, median: 0.05},
	{title: "Hold Baggage Operator", department: "Hold Baggage", weight: 12, female: 0.15, months: quarterly, exposed: 0.03, unused: 0.05, numeric: 0.2, median: 0.05},
	{title: "X-ray Maintenance Engineer", department: "Engineering", weight: 4, female: 0.08, months: mostlyQuarterly, exposed: 0.1, unused: 0.1, numeric: 0.3, median: 0.08},
}

func rolesOf(k Kind) []role {
	switch k {
	case PrivateHospital:
		return hospitalRoles
	case DentalPractice:
		return dentalRoles
	case VetPractice:
		return vetRoles
	case Airport:
		return airportRoles
	}
	return nhsRoles
}
